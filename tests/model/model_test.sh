#!/bin/sh
# SPDX-License-Identifier: MIT
#
# model_test.sh ADDRESS_TRACE ROW - linux_model.py, or 77 without Python.

command -v python3 >/dev/null || exit 77
exec python3 "$(dirname "$0")/linux_model.py" "$@"
