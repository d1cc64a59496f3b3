#!/bin/sh
# Set up a virtual environment with CalcViewer in it: set_up.sh VENV [EXTRAS]
# Installs what is missing of the system first, where root or sudo allows it; says what is missing
# where not.
set -eu

venv=$1
extras=${2:-}

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "Please install with your system's package manager: $*" >&2
        return 1
    elif [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=sudo
    else
        echo "Please ask an administrator to run: apt-get install $*" >&2
        return 1
    fi
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

python=$(find_python)
if [ -z "$python" ]; then
    echo "CalcViewer needs Python 3.11, 3.12 or 3.13." >&2
    install_packages python3 python3-venv
    python=$(find_python)
    [ -n "$python" ] || exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    install_packages "python$version-venv" || exit 1
fi

# The window's libraries; without a display none of them is needed.
libraries="libglib2.0-0 libgl1 libegl1 libxkbcommon0 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1
    libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1"
if command -v dpkg-query >/dev/null; then
    missing=
    for library in $libraries; do
        # Newer releases call some of them by another name (libglib2.0-0t64).
        dpkg-query -W -f '${Status}\n' "$library" "${library}t64" 2>/dev/null |
            grep -q 'ok installed' || missing="$missing $library"
    done
    # shellcheck disable=SC2086 # one word a package
    [ -z "$missing" ] || install_packages $missing || echo "The window needs:$missing" >&2
fi

# The tests validate DICOM objects, look at PDF pages and drive the window with other people's tools;
# without them those tests are skipped and say so.
if [ -n "$extras" ]; then
    missing=
    command -v dciodvfy >/dev/null || missing="$missing dicom3tools"
    command -v pdftoppm >/dev/null || missing="$missing poppler-utils"
    command -v Xvfb >/dev/null || missing="$missing xvfb"
    PATH=$PATH:/usr/sbin command -v Orthanc >/dev/null || missing="$missing orthanc orthanc-dicomweb"
    # pydensecrf2, the reference the CRF is compared with, is compiled here (not on Python 3.13).
    header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include") + "/Python.h")')
    command -v g++ >/dev/null || missing="$missing g++"
    [ -e "$header" ] || missing="$missing python3-dev"
    # shellcheck disable=SC2086 # one word a package
    [ -z "$missing" ] || install_packages $missing || echo "Going on without:$missing" >&2
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check \
    -c constraints.txt -e ".${extras:+[$extras]}"
