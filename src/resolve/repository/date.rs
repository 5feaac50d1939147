//! From a date as apt writes it (`Sat, 29 Nov 2025 04:33:42 UTC`) to seconds since 1970.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The date in seconds since 1970; `None` for what is no such date. apt, too, takes no other zone than UTC.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "UTC" | "GMT" | "Z" | "+0000"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let parts: Option<Vec<u64>> = time.split(':').map(|part| part.parse().ok()).collect();
    let [hour, minute, second] = parts?[..] else { return None };
    let sound =
        (1970..=9999).contains(&year) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    sound.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since 1970, with years that begin in March so that the leap day comes last; months count from 0.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    of_years + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", Some(0)),
            ("Sat, 29 Feb 2020 23:59:59 UTC", Some(1_583_020_799)),
            ("Sun, 22 Nov 2026 04:31:19 UTC", Some(1_795_321_879)),
            ("Sun, 22 Nov 2026 04:31:19 +0100", None),
            ("Sun, 22 Now 2026 04:31:19 UTC", None),
            ("2026-11-22", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
