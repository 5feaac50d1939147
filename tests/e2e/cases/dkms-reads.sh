#!/usr/bin/env bash
# needs: dkms root unshare
# What tests/data/dkms says that dkms reads of each dkms.conf is what the dkms of this machine reads.
. "$(dirname "$0")/../case.sh"

"$E2E_DIR/dkms-reads.sh"
