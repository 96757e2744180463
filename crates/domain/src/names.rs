//! Host names of development instances, by which official SDKs recognise them.

const FIRST: [&str; 32] = [
    "amber", "brave", "bright", "calm", "clear", "crisp", "early", "fair", "fresh", "gentle",
    "golden", "green", "happy", "honest", "humble", "jolly", "keen", "kind", "lively", "lucky",
    "mellow", "modest", "noble", "patient", "quick", "quiet", "silver", "steady", "sunny", "tidy",
    "warm", "wise",
];
const SECOND: [&str; 32] = [
    "acorn", "badger", "beacon", "birch", "brook", "candle", "cedar", "comet", "ember", "falcon",
    "fern", "garden", "harbor", "heron", "island", "lantern", "maple", "meadow", "orchard",
    "otter", "pebble", "pine", "river", "robin", "sparrow", "spruce", "stone", "thistle", "tulip",
    "valley", "willow", "wren",
];

/// `quiet-harbor-42.clerk.accounts.dev`, chosen by `random`.
pub fn development_host(random: u128) -> String {
    let bytes = random.to_le_bytes();
    let first = FIRST[usize::from(bytes[0]) % FIRST.len()];
    let second = SECOND[usize::from(bytes[1]) % SECOND.len()];
    let number = u16::from_le_bytes([bytes[2], bytes[3]]) % 99 + 1;
    format!("{first}-{second}-{number}.clerk.accounts.dev")
}

#[cfg(test)]
mod tests {
    use super::development_host;

    #[test]
    fn a_host_has_two_words_and_a_number() {
        assert_eq!(development_host(0), "amber-acorn-1.clerk.accounts.dev");
        assert_eq!(development_host(u128::MAX), "wise-wren-97.clerk.accounts.dev");
    }
}
