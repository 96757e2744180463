//! How hard a password is to guess.

use zxcvbn::feedback::Suggestion;

/// What was found out about a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strength {
    /// 0 is guessed at once, 4 hardly ever.
    pub score: u8,
    /// How to make it better: the names that official components translate, and English.
    pub suggestions: Vec<(&'static str, String)>,
}

/// Judges a password; `known` is what everybody knows of whoever chose it. Takes milliseconds.
pub fn strength(password: &str, known: &[&str]) -> Strength {
    let entropy = zxcvbn::zxcvbn(password, known);
    let feedback = entropy.feedback().map(zxcvbn::feedback::Feedback::suggestions);
    let suggestions = feedback.unwrap_or_default().iter();
    Strength {
        score: u8::from(entropy.score()),
        suggestions: suggestions.map(|one| (name(*one), one.to_string())).collect(),
    }
}

fn name(suggestion: Suggestion) -> &'static str {
    match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => "useWords",
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => "noNeed",
        Suggestion::AddAnotherWordOrTwo => "anotherWord",
        Suggestion::CapitalizationDoesntHelpVeryMuch => "capitalization",
        Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => "allUppercase",
        Suggestion::ReversedWordsArentMuchHarderToGuess => "reverseWords",
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => "l33t",
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => "longerKeyboardPattern",
        Suggestion::AvoidRepeatedWordsAndCharacters => "repeated",
        Suggestion::AvoidSequences => "sequences",
        Suggestion::AvoidRecentYears => "recentYears",
        Suggestion::AvoidYearsThatAreAssociatedWithYou => "associatedYears",
        Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => "dates",
    }
}

#[cfg(test)]
mod tests {
    use super::strength;

    #[test]
    fn what_is_easy_to_guess_comes_with_advice() {
        let weak = strength("abcabcabc", &[]);
        assert!(weak.score < 2, "{weak:?}");
        assert!(weak.suggestions.iter().any(|(name, _)| *name == "repeated"), "{weak:?}");
        let unknown = strength("qarvonelti7", &[]).score;
        assert!(strength("qarvonelti7", &["qarvonelti"]).score < unknown);
        assert_eq!(strength("seventeen blue whales sing at dawn", &[]).score, 4);
    }
}
