#!/usr/bin/env bash
# needs: chromium
# The page of `drvc report` in a real browser, at two sizes, in light and dark: contrast, width, console, and all of it by
# keyboard. The pictures are kept for eyes.
. "$(dirname "$0")/../case.sh"

mkdir -p "$CASE_DIR/pictures"
/usr/bin/python3 "$ROOT/docs/pictures/report" "$DRVC" "$CASE_DIR/report.html" || die "no page was made"
/usr/bin/python3 "$ROOT/tests/e2e/browser.py" "$CASE_DIR/report.html" "$CASE_DIR/pictures" >"$CASE_DIR/logs/browser" 2>&1 ||
    die "$(cat "$CASE_DIR/logs/browser")"
contains "the keyboard" "$(cat "$CASE_DIR/logs/browser")" "stops by keyboard"
