//! How much room is little: thresholds by bytes and by percent, of which the lower one counts, and the way back that is
//! longer than the way there, so that a state does not flutter.

/// What there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stato {
    /// Everything.
    #[default]
    Normale,
    /// No new lots.
    Stretto,
    /// No new domande and acts either: retries and look-ups alone.
    Critico,
}

impl Stato {
    /// All of them, the best first.
    pub const TUTTI: [Self; 3] = [Self::Normale, Self::Stretto, Self::Critico];

    /// As people and metrics are told.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normale => "normale",
            Self::Stretto => "stretto",
            Self::Critico => "critico",
        }
    }
}

/// The thresholds of section `spazio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Soglie {
    /// With fewer bytes free: no new lots.
    pub stretto_bytes: u64,
    /// The same in percent, for a small disk.
    pub stretto_percento: usize,
    /// With fewer bytes free: no new domande either.
    pub critico_bytes: u64,
    /// The same in percent.
    pub critico_percento: usize,
    /// So many percent more than a threshold must be free before it is left again.
    pub isteresi_percento: usize,
}

impl Default for Soglie {
    fn default() -> Self {
        Self {
            stretto_bytes: 2 << 30,
            stretto_percento: 10,
            critico_bytes: 512 << 20,
            critico_percento: 5,
            isteresi_percento: 20,
        }
    }
}

/// A place that can be full, as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posto {
    /// Which: `archivio`, `ancore`.
    pub nome: &'static str,
    /// Bytes that may still be written there.
    pub liberi: u64,
    /// Bytes that it holds in all.
    pub capienza: u64,
}

impl Soglie {
    /// What there is room for, with so much free, where before there was room for `prima`.
    #[must_use]
    pub fn judge(&self, prima: Stato, posto: &Posto) -> Stato {
        let sotto = |stato: Stato| {
            let soglia = self.threshold(stato, posto.capienza);
            let ritorno = if prima >= stato {
                percent(soglia, self.isteresi_percento)
            } else {
                0
            };
            posto.liberi < soglia.saturating_add(ritorno)
        };
        [Stato::Critico, Stato::Stretto]
            .into_iter()
            .find(|stato| sotto(*stato))
            .unwrap_or_default()
    }

    /// The bytes under which a place of this size is in a state: of a large disk no tenth need be free, a small one never has
    /// so many bytes.
    #[must_use]
    pub fn threshold(&self, stato: Stato, capienza: u64) -> u64 {
        let (bytes, percento) = match stato {
            Stato::Normale => return u64::MAX,
            Stato::Stretto => (self.stretto_bytes, self.stretto_percento),
            Stato::Critico => (self.critico_bytes, self.critico_percento),
        };
        bytes.min(percent(capienza, percento))
    }
}

fn percent(di: u64, percento: usize) -> u64 {
    let bytes = u128::from(di) * percento as u128 / 100;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn posto(liberi: u64, capienza: u64) -> Posto {
        Posto {
            nome: "archivio",
            liberi,
            capienza,
        }
    }

    #[test]
    fn of_a_large_disk_the_bytes_count_and_of_a_small_one_the_percent() {
        let soglie = Soglie::default();
        assert_eq!(soglie.threshold(Stato::Stretto, 2000 * GIB), 2 * GIB);
        assert_eq!(soglie.threshold(Stato::Critico, 2000 * GIB), GIB / 2);
        assert_eq!(soglie.threshold(Stato::Stretto, GIB), GIB / 10);
        assert_eq!(soglie.threshold(Stato::Critico, GIB), GIB / 20);
    }

    #[test]
    fn room_is_lost_at_the_threshold_and_won_back_a_fifth_above_it() {
        let soglie = Soglie::default();
        let mut stato = Stato::Normale;
        let mut seen = Vec::new();
        // A disk of 1000 GiB: 2048 MiB are the first threshold, 512 the second one.
        for mib in [
            2049_u64, 2048, 2047, 2457, 2458, 511, 613, 615, 2049, 2500, 100, 5000,
        ] {
            stato = soglie.judge(stato, &posto(mib << 20, 1000 * GIB));
            seen.push(stato.as_str());
        }
        assert_eq!(
            seen,
            [
                "normale", "normale", "stretto", "stretto", "normale", "critico", "critico", "stretto",
                "stretto", "normale", "critico", "normale"
            ]
        );
    }

    #[test]
    fn thresholds_beyond_any_disk_do_not_overflow() {
        let soglie = Soglie {
            stretto_bytes: u64::MAX,
            stretto_percento: 100,
            critico_bytes: u64::MAX,
            critico_percento: 100,
            isteresi_percento: 100,
        };
        assert_eq!(
            soglie.judge(Stato::Critico, &posto(u64::MAX - 1, u64::MAX)),
            Stato::Critico
        );
        assert_eq!(soglie.judge(Stato::Normale, &posto(0, 0)), Stato::Normale);
    }
}
