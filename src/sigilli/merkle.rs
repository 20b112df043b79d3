//! A tree of hashes over an ordered list (RFC 6962 §2.1): its root says all of the list, and a path of a few hashes shows that
//! one of them is in it, without the others.

use super::Impronta;
use crate::domanda::sha256::Sha256;

/// The hash of a leaf: never that of a node.
#[must_use]
pub fn foglia(parti: &[&[u8]]) -> Impronta {
    let mut hash = Sha256::new();
    hash.update(&[0]);
    for parte in parti {
        hash.update(parte);
    }
    Impronta(hash.finish())
}

fn nodo(sinistra: &Impronta, destra: &Impronta) -> Impronta {
    let mut hash = Sha256::new();
    hash.update(&[1]);
    hash.update(&sinistra.0);
    hash.update(&destra.0);
    Impronta(hash.finish())
}

/// The root over these leaves; of none, the hash of nothing.
#[must_use]
pub fn radice(foglie: &[Impronta]) -> Impronta {
    match foglie {
        [] => Impronta(Sha256::of(b"")),
        [sola] => *sola,
        _ => {
            let (sinistra, destra) = foglie.split_at(taglio(foglie.len()));
            nodo(&radice(sinistra), &radice(destra))
        }
    }
}

/// What must be known beside the leaf at this place to come to the root, from the leaf up.
#[must_use]
pub fn cammino(foglie: &[Impronta], posto: usize) -> Vec<Impronta> {
    if foglie.len() <= 1 {
        return Vec::new();
    }
    let (sinistra, destra) = foglie.split_at(taglio(foglie.len()));
    let (mut passi, altra) = if posto < sinistra.len() {
        (cammino(sinistra, posto), radice(destra))
    } else {
        (cammino(destra, posto - sinistra.len()), radice(sinistra))
    };
    passi.push(altra);
    passi
}

/// The root that a leaf at this place of so many leads to; `None` where the path cannot be one of that place.
#[must_use]
pub fn risali(foglia: Impronta, posto: usize, quante: usize, cammino: &[Impronta]) -> Option<Impronta> {
    if posto >= quante {
        return None;
    }
    let Some((altra, sotto)) = cammino.split_last() else {
        return (quante == 1).then_some(foglia);
    };
    if quante == 1 {
        return None;
    }
    let taglio = taglio(quante);
    if posto < taglio {
        Some(nodo(&risali(foglia, posto, taglio, sotto)?, altra))
    } else {
        Some(nodo(
            altra,
            &risali(foglia, posto - taglio, quante - taglio, sotto)?,
        ))
    }
}

/// Where a list of two or more is cut: at the largest power of two below its length.
fn taglio(quante: usize) -> usize {
    quante.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foglie(quante: usize) -> Vec<Impronta> {
        (0..quante).map(|n| foglia(&[&n.to_be_bytes()])).collect()
    }

    #[test]
    fn the_tree_is_that_of_rfc_6962() {
        // Test vectors of the reference implementation (certificate-transparency, merkle_tree_test): the leaves of three.
        let tre = [foglia(&[b""]), foglia(&[b"\0"]), foglia(&[b"\x10"])];
        assert_eq!(
            radice(&tre).to_string(),
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"
        );
        assert_eq!(
            radice(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn every_leaf_leads_to_the_root_from_its_place_and_from_no_other() {
        for quante in 1..40 {
            let foglie = foglie(quante);
            let radice = radice(&foglie);
            for (posto, foglia) in foglie.iter().enumerate() {
                let passi = cammino(&foglie, posto);
                assert_eq!(risali(*foglia, posto, quante, &passi), Some(radice));
                for altro in (0..quante + 2).filter(|altro| *altro != posto) {
                    assert_ne!(risali(*foglia, altro, quante, &passi), Some(radice));
                }
                let mut corto = passi.clone();
                if corto.pop().is_some() {
                    assert_ne!(risali(*foglia, posto, quante, &corto), Some(radice));
                }
                let lungo = [passi, vec![radice]].concat();
                assert_ne!(risali(*foglia, posto, quante, &lungo), Some(radice));
            }
        }
    }
}
