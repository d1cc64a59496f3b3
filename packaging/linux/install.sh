#!/bin/sh
# Put CalcViewer into the menu and on the command line of one user: install.sh [--remove]
# The program stays in this folder. Nothing outside the user's own folders is touched.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/calcviewer.desktop
command=$HOME/.local/bin/calcviewer

refresh() {
    ! command -v update-desktop-database >/dev/null ||
        update-desktop-database -q "$data/applications" || true
}

if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$command" "$data/icons/hicolor/scalable/apps/calcviewer.svg" \
        "$data/icons/hicolor/512x512/apps/calcviewer.png"
    refresh
    echo "CalcViewer is no longer in the menu. To remove it, delete $here"
    exit
fi

for folder in applications icons/hicolor/scalable/apps icons/hicolor/512x512/apps; do
    mkdir -p "$data/$folder"
done
mkdir -p "$(dirname "$command")"
cp "$here/share/icons/calcviewer.svg" "$data/icons/hicolor/scalable/apps/"
cp "$here/share/icons/calcviewer.png" "$data/icons/hicolor/512x512/apps/"
# In a desktop file's Exec line a path with spaces is quoted.
sed -e "s|^Exec=calcviewer|Exec=\"$here/calcviewer\"|" -e "s|^TryExec=.*|TryExec=$here/calcviewer|" \
    "$here/share/applications/calcviewer.desktop" >"$entry"
ln -sf "$here/calcviewer" "$command"
refresh
echo "CalcViewer is in the menu, and on the command line as $command"
case :$PATH: in
*:"$HOME/.local/bin":*) ;;
*) echo "(add $HOME/.local/bin to PATH to call it by its name)" ;;
esac
