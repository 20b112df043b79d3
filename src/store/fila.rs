//! What waits by ente: each ente's in the order in which it came, the enti by turns, one each. So a flood of one ente delays another's
//! single domanda by no more than its own share of a batch.

use std::collections::VecDeque;

/// What waits in the name of an ente.
pub(super) trait Accodato {
    /// Whose it is.
    fn ente(&self) -> &str;
}

/// A queue that takes turns. Whoever has nothing waiting takes no turn, and comes last when something of theirs comes.
#[derive(Debug)]
pub(super) struct Fila<A> {
    /// One ente's each, the one whose turn is next first; none is empty.
    enti: VecDeque<VecDeque<A>>,
}

impl<A> Default for Fila<A> {
    fn default() -> Self {
        Self {
            enti: VecDeque::new(),
        }
    }
}

impl<A: Accodato> Fila<A> {
    /// Something more.
    pub(super) fn push(&mut self, cosa: A) {
        let same = |sue: &&mut VecDeque<A>| sue.front().is_some_and(|prima| prima.ente() == cosa.ente());
        // Few enti wait at once: looking through them costs less than keeping a map of them.
        match self.enti.iter_mut().find(same) {
            Some(sue) => sue.push_back(cosa),
            None => self.enti.push_back(VecDeque::from([cosa])),
        }
    }

    /// Takes out what is next, until there are `massimo` or nothing waits.
    pub(super) fn draw(&mut self, massimo: usize, presi: &mut Vec<A>) {
        while presi.len() < massimo
            && let Some(mut sue) = self.enti.pop_front()
        {
            presi.extend(sue.pop_front());
            if !sue.is_empty() {
                self.enti.push_back(sue);
            }
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.enti.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl Accodato for (&'static str, usize) {
        fn ente(&self) -> &str {
            self.0
        }
    }

    /// The next batch in words.
    fn batch(fila: &mut Fila<(&'static str, usize)>, massimo: usize) -> String {
        let mut presi = Vec::new();
        fila.draw(massimo, &mut presi);
        let detti: Vec<_> = presi.iter().map(|(ente, n)| format!("{ente}{n}")).collect();
        detti.join(" ")
    }

    #[test]
    fn enti_take_turns_over_batches_too() {
        let mut fila = Fila::default();
        for n in 1..=6 {
            fila.push(("A", n));
        }
        fila.push(("B", 1));
        assert_eq!(batch(&mut fila, 3), "A1 B1 A2");
        assert_eq!(batch(&mut fila, 3), "A3 A4 A5");
        for cosa in [("B", 2), ("C", 1), ("C", 2)] {
            fila.push(cosa);
        }
        assert_eq!(batch(&mut fila, 2), "A6 B2");
        assert_eq!(batch(&mut fila, 2), "C1 C2");
        assert!(fila.is_empty());
        assert_eq!(batch(&mut fila, 2), "");
    }

    const ENTI: [&str; 4] = ["A", "B", "C", "D"];

    proptest! {
        #[test]
        fn nothing_is_lost_an_ente_keeps_its_order_and_a_single_one_is_in_the_next_batch(
            arrivi in proptest::collection::vec(0_u8..4, 0..200),
            massimo in 5_usize..20,
        ) {
            let mut fila = Fila::default();
            for (n, ente) in arrivi.iter().enumerate() {
                fila.push((ENTI[usize::from(*ente)], n));
            }
            // One act of an ente that nobody heard of: four others wait, so a batch of five has it.
            fila.push(("nuovo", arrivi.len()));
            let mut presi = Vec::new();
            fila.draw(massimo, &mut presi);
            prop_assert!(presi.iter().any(|(ente, _)| *ente == "nuovo"));
            while !fila.is_empty() {
                let prima = presi.len();
                fila.draw(prima + massimo, &mut presi);
                prop_assert!(presi.len() > prima && presi.len() <= prima + massimo);
            }
            prop_assert_eq!(presi.len(), arrivi.len() + 1);
            for ente in ENTI {
                let suoi: Vec<_> = presi.iter().filter(|(suo, _)| *suo == ente).map(|(_, n)| *n).collect();
                prop_assert!(suoi.is_sorted());
            }
        }
    }
}
