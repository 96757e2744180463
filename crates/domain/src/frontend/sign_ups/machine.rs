//! How far a sign-up is, and what can be done about it then: facts in, states out.

use wire::{
    Refusal, Timestamp,
    backend::verifications::{Verification, VerificationStatus},
    refusal,
};

/// All that decides how far a sign-up is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// There is a user.
    pub(super) is_complete: bool,
    /// Its time is over.
    pub(super) is_abandoned: bool,
    /// Something must be said yet.
    pub(super) is_missing_fields: bool,
    /// Something that was said must be proven yet.
    pub(super) is_unproven: bool,
    /// The app's own servers have to consent yet.
    pub(super) is_waiting: bool,
}

/// How far a sign-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    NeedsFields,
    NeedsProof,
    NeedsConsent,
    /// It lacks nothing; the client that began it has yet to come for its session.
    Ready,
    Complete,
    Abandoned,
}

/// How far the proof of one address or number of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// There is no such address or number.
    Nothing,
    /// Nothing was sent yet.
    Unprepared,
    /// A code or a link is on its way.
    UnderWay,
    /// It came to nothing in its time.
    Expired,
    /// Too many wrong codes.
    Failed,
    /// Proven.
    Proven,
}

/// What is to be done about a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Say more, or something else.
    Say,
    /// Have a code or a link sent.
    Prepare,
    /// Try a code.
    Attempt,
    /// Follow a link.
    Follow,
}

/// Whether it can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It can.
    May,
    /// It need not; there is nothing left but to end the sign-up.
    Ends,
    /// There is nothing to prove.
    Foreign,
    /// Nothing was sent.
    Unsent,
    /// What was sent is too old.
    Late,
    /// What was sent was guessed at too often.
    Spent,
    /// It is proven already.
    Done,
    /// The sign-up is over.
    Over,
}

use Verdict::{Done, Ends, Foreign, Late, May, Over, Spent, Unsent};

/// How far proofs are, and what can be done then in a sign-up that lacks something, in the order of
/// [`Step`].
const LACKING: [(Proof, [Verdict; 4]); 6] = [
    (Proof::Nothing, [May, Foreign, Unsent, Unsent]),
    (Proof::Unprepared, [May, May, Unsent, Unsent]),
    (Proof::UnderWay, [May, May, May, May]),
    (Proof::Expired, [May, May, Late, Late]),
    (Proof::Failed, [May, May, Spent, Spent]),
    (Proof::Proven, [May, Done, Done, Done]),
];

/// How far a sign-up is.
pub(super) fn state(progress: Progress) -> State {
    match progress {
        Progress { is_complete: true, .. } => State::Complete,
        Progress { is_abandoned: true, .. } => State::Abandoned,
        Progress { is_missing_fields: true, .. } => State::NeedsFields,
        Progress { is_unproven: true, .. } => State::NeedsProof,
        Progress { is_waiting: true, .. } => State::NeedsConsent,
        _ => State::Ready,
    }
}

/// How far the proof of something is at `now`.
pub(super) fn proof(is_said: bool, verification: Option<&Verification>, now: Timestamp) -> Proof {
    let Some(verification) = verification.filter(|_| is_said) else {
        return if is_said { Proof::Unprepared } else { Proof::Nothing };
    };
    let is_late = verification.expire_at.is_some_and(|end| end <= now);
    match verification.status {
        VerificationStatus::Verified => Proof::Proven,
        VerificationStatus::Unverified if !is_late => Proof::UnderWay,
        VerificationStatus::Unverified | VerificationStatus::Expired => Proof::Expired,
        _ => Proof::Failed,
    }
}

fn verdict(state: State, proof: Proof, step: Step) -> Verdict {
    match (state, proof, step) {
        (State::Complete | State::Abandoned, _, Step::Say) => Over,
        // Whoever comes second is told what was done, not that it is over.
        (State::Complete | State::Abandoned, Proof::Proven, _) => Done,
        (State::Complete | State::Abandoned, ..) => Over,
        (State::Ready, _, Step::Prepare) => Ends,
        (State::NeedsFields | State::NeedsProof | State::NeedsConsent | State::Ready, ..) => {
            let row = LACKING.iter().find(|(own, _)| *own == proof);
            row.map_or(Over, |(_, verdicts)| verdicts[step as usize])
        }
    }
}

/// Refuses what cannot be done now; false if it need not be done, and the sign-up can end.
pub(super) fn permit(state: State, proof: Proof, step: Step) -> Result<bool, Refusal> {
    let code = |refusal: Refusal, reason: &str| refusal.because(reason).param("code");
    Err(match verdict(state, proof, step) {
        May => return Ok(true),
        Ends => return Ok(false),
        Foreign => {
            let reason = "This proves nothing of this sign-up.";
            refusal::verification_strategy_invalid().because(reason).param("strategy")
        }
        Unsent => refusal::verification_not_sent(),
        Late => code(refusal::verification_expired(), "This code has expired. Ask for a new one."),
        Spent => code(refusal::verification_failed(), "Too many wrong codes. Ask for a new one."),
        Done => refusal::verification_already_verified(),
        Over => {
            let reason = "This sign-up is complete or abandoned, and cannot be changed any more.";
            refusal::sign_up_cannot_be_updated().because(reason)
        }
    })
}

#[cfg(test)]
mod tests {
    use wire::backend::verifications::VerificationObject;

    use super::*;

    const STATES: [State; 6] = [
        State::NeedsFields,
        State::NeedsProof,
        State::NeedsConsent,
        State::Ready,
        State::Complete,
        State::Abandoned,
    ];
    const PROOFS: [Proof; 6] = [
        Proof::Nothing,
        Proof::Unprepared,
        Proof::UnderWay,
        Proof::Expired,
        Proof::Failed,
        Proof::Proven,
    ];
    const STEPS: [Step; 4] = [Step::Say, Step::Prepare, Step::Attempt, Step::Follow];

    #[test]
    fn nobody_is_ready_who_lacks_something() {
        let mut seen = Vec::new();
        for bits in 0_u32..32 {
            let is = |bit: u32| bits & (1 << bit) != 0;
            let progress = Progress {
                is_complete: is(0),
                is_abandoned: is(1),
                is_missing_fields: is(2),
                is_unproven: is(3),
                is_waiting: is(4),
            };
            let state = state(progress);
            assert_eq!(state == State::Ready, bits == 0, "{progress:?}");
            assert_eq!(state == State::Complete, progress.is_complete, "{progress:?}");
            if !seen.contains(&state) {
                seen.push(state);
            }
        }
        assert_eq!(seen.len(), STATES.len(), "all states are reached: {seen:?}");
    }

    /// What is answered in words of its own, without the table.
    fn expected(state: State, proof: Proof, step: Step) -> &'static str {
        let is_over = matches!(state, State::Complete | State::Abandoned);
        let tries = matches!(step, Step::Attempt | Step::Follow);
        match (step, proof) {
            (Step::Say, _) if is_over => "sign_up_cannot_be_updated",
            (Step::Say, _) => "may",
            (Step::Prepare, _) if state == State::Ready => "ends",
            (_, Proof::Proven) => "verification_already_verified",
            _ if is_over => "sign_up_cannot_be_updated",
            (Step::Prepare, Proof::Nothing) => "verification_strategy_invalid",
            (_, Proof::Nothing | Proof::Unprepared) if tries => "verification_not_sent",
            (_, Proof::Expired) if tries => "verification_expired",
            (_, Proof::Failed) if tries => "verification_failed",
            _ => "may",
        }
    }

    #[test]
    fn every_state_says_what_can_be_done() {
        for state in STATES {
            for proof in PROOFS {
                for step in STEPS {
                    let said = permit(state, proof, step);
                    let said = said.as_ref().map(|goes_on| if *goes_on { "may" } else { "ends" });
                    let said = said.unwrap_or_else(Refusal::code);
                    assert_eq!(said, expected(state, proof, step), "{state:?} {proof:?} {step:?}");
                }
            }
        }
    }

    #[test]
    fn a_proof_is_as_far_as_its_verification() {
        const NOW: Timestamp = Timestamp(1_800_000_000_000);
        let verification = |status, end| Verification {
            expire_at: Some(Timestamp(end)),
            ..Verification::new(VerificationObject::Otp, status, "email_code")
        };
        let cases = [
            (VerificationStatus::Unverified, NOW.0 + 1, Proof::UnderWay),
            (VerificationStatus::Unverified, NOW.0, Proof::Expired),
            (VerificationStatus::Expired, NOW.0 + 1, Proof::Expired),
            (VerificationStatus::Failed, NOW.0 + 1, Proof::Failed),
            (VerificationStatus::Transferable, NOW.0 + 1, Proof::Failed),
            (VerificationStatus::Verified, NOW.0 - 1, Proof::Proven),
        ];
        for (status, end, expected) in cases {
            let verification = verification(status, end);
            assert_eq!(proof(true, Some(&verification), NOW), expected, "{verification:?}");
            assert_eq!(proof(false, Some(&verification), NOW), Proof::Nothing);
        }
        assert_eq!(proof(true, None, NOW), Proof::Unprepared);
    }
}
