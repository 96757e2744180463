//! How far a sign-in is, and what can be done about it then: facts in, states out.

use wire::{Refusal, frontend::sign_ins::SignInStatus, refusal};

/// All that decides how far a sign-in is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Its time is over, or another one took its place.
    pub(super) is_abandoned: bool,
    /// There is a session.
    pub(super) is_complete: bool,
    /// It is known who signs in, or said to be.
    pub(super) is_identified: bool,
    /// The first factor is proven.
    pub(super) is_first_proven: bool,
    /// A new password is due.
    pub(super) is_password_due: bool,
    /// What else is to be proven.
    pub(super) need: Need,
    /// That is.
    pub(super) is_second_proven: bool,
}

/// What is to be proven beside the first factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    #[default]
    Nothing,
    /// A second factor.
    SecondFactor,
    /// That the device is the user's.
    ClientTrust,
}

/// How far a sign-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    NeedsIdentifier,
    NeedsFirstFactor,
    NeedsNewPassword,
    NeedsSecondFactor,
    NeedsClientTrust,
    /// All is proven; the client that began it has yet to come for its session.
    Ready,
    Complete,
    Abandoned,
}

/// What somebody wants to do about a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    PrepareFirst,
    AttemptFirst,
    PrepareSecond,
    AttemptSecond,
    ResetPassword,
}

/// Whether it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It can.
    May,
    /// Something else comes first.
    Early,
    /// That is done already.
    Done,
    /// There is nothing left to do it to.
    Gone,
}

use Verdict::{Done, Early, Gone, May};

/// States, and what can be done in each, in the order of [`Step`].
const TABLE: [(State, [Verdict; 5]); 8] = [
    (State::NeedsIdentifier, [Early, Early, Early, Early, Early]),
    (State::NeedsFirstFactor, [May, May, Early, Early, Early]),
    (State::NeedsNewPassword, [Done, Done, Early, Early, May]),
    (State::NeedsSecondFactor, [Done, Done, May, May, Done]),
    (State::NeedsClientTrust, [Done, Done, May, May, Done]),
    (State::Ready, [Done, Done, Done, Done, Done]),
    (State::Complete, [Done, Done, Done, Done, Done]),
    (State::Abandoned, [Gone, Gone, Gone, Gone, Gone]),
];

/// How far a sign-in is.
pub(super) fn state(progress: Progress) -> State {
    let Progress { need, is_second_proven, .. } = progress;
    match progress {
        Progress { is_complete: true, .. } => State::Complete,
        Progress { is_abandoned: true, .. } => State::Abandoned,
        Progress { is_identified: false, .. } => State::NeedsIdentifier,
        Progress { is_first_proven: false, .. } => State::NeedsFirstFactor,
        Progress { is_password_due: true, .. } => State::NeedsNewPassword,
        _ if is_second_proven => State::Ready,
        _ => match need {
            Need::Nothing => State::Ready,
            Need::SecondFactor => State::NeedsSecondFactor,
            Need::ClientTrust => State::NeedsClientTrust,
        },
    }
}

/// Refuses what cannot be done now.
pub(super) fn permit(state: State, step: Step) -> Result<(), Refusal> {
    let row = TABLE.iter().find(|(own, _)| *own == state);
    match row.map_or(Gone, |(_, verdicts)| verdicts[step as usize]) {
        May => Ok(()),
        Early => Err(refusal::bad_request().because("Something else is to be proven first.")),
        Done => {
            Err(refusal::verification_already_verified().because("This has been verified already."))
        }
        Gone => {
            Err(refusal::resource_not_found().because("This sign-in is over. Begin another one."))
        }
    }
}

impl State {
    /// As the API says it.
    pub(super) fn status(self) -> SignInStatus {
        match self {
            Self::NeedsIdentifier => SignInStatus::NeedsIdentifier,
            // Whoever waits for a link to be followed learns of it by coming for the session.
            Self::NeedsFirstFactor | Self::Ready => SignInStatus::NeedsFirstFactor,
            Self::NeedsNewPassword => SignInStatus::NeedsNewPassword,
            Self::NeedsSecondFactor => SignInStatus::NeedsSecondFactor,
            Self::NeedsClientTrust => SignInStatus::NeedsClientTrust,
            Self::Complete => SignInStatus::Complete,
            Self::Abandoned => SignInStatus::Abandoned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 5] = [
        Step::PrepareFirst,
        Step::AttemptFirst,
        Step::PrepareSecond,
        Step::AttemptSecond,
        Step::ResetPassword,
    ];

    /// Every combination of facts.
    fn all() -> impl Iterator<Item = Progress> {
        let needs = [Need::Nothing, Need::SecondFactor, Need::ClientTrust];
        needs.into_iter().flat_map(|need| {
            (0_u32..64).map(move |bits| {
                let is = |bit: u32| bits & (1 << bit) != 0;
                Progress {
                    is_abandoned: is(0),
                    is_complete: is(1),
                    is_identified: is(2),
                    is_first_proven: is(3),
                    is_password_due: is(4),
                    is_second_proven: is(5),
                    need,
                }
            })
        })
    }

    #[test]
    fn nobody_is_ready_before_all_is_proven() {
        let mut seen = Vec::new();
        for progress in all() {
            let state = state(progress);
            if !seen.contains(&state) {
                seen.push(state);
            }
            if state == State::Ready {
                assert!(progress.is_identified && progress.is_first_proven, "{progress:?}");
                assert!(!progress.is_password_due && !progress.is_abandoned, "{progress:?}");
                let is_enough = progress.need == Need::Nothing || progress.is_second_proven;
                assert!(is_enough, "{progress:?}");
            }
            assert_eq!(state == State::Complete, progress.is_complete, "{progress:?}");
        }
        assert_eq!(seen.len(), TABLE.len(), "all states are reached: {seen:?}");
    }

    #[test]
    fn every_state_says_what_can_be_done() {
        for (state, _) in TABLE {
            for step in STEPS {
                let refused = permit(state, step).err();
                let code = refused.as_ref().map_or("may", Refusal::code);
                let expected = match (state, step) {
                    (State::Abandoned, _) => "resource_not_found",
                    (State::NeedsFirstFactor, Step::PrepareFirst | Step::AttemptFirst)
                    | (State::NeedsNewPassword, Step::ResetPassword)
                    | (
                        State::NeedsSecondFactor | State::NeedsClientTrust,
                        Step::PrepareSecond | Step::AttemptSecond,
                    ) => "may",
                    (State::NeedsIdentifier | State::NeedsFirstFactor, _)
                    | (State::NeedsNewPassword, Step::PrepareSecond | Step::AttemptSecond) => {
                        "bad_request"
                    }
                    _ => "verification_already_verified",
                };
                assert_eq!(code, expected, "{state:?} {step:?}");
            }
        }
    }
}
