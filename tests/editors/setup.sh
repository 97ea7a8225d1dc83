#!/bin/bash
# Real editors to test in, without touching the system's own: chroots with GIMP and Krita.
#   tests/editors/setup.sh          builds what is missing; a second run finds it ready
# trixie has GIMP 3.0 and Krita 5.2, forky GIMP 3.2 and Krita 5.3. Folder: $ACETATE_EDITORS, else
# .editors beside the Makefile. Packages come from the mirror that this machine uses already, or
# from $DEBIAN_MIRROR. bin/ gets the commands that start them (see the comments inside those).
set -euo pipefail

# A brief run opens the newest alone.
[ "${ACETATE_TESTS:-}" = brief ] && usual=forky || usual="trixie forky"
suites=${ACETATE_EDITOR_SUITES:-$usual}
home=$(cd "$(dirname "$0")/../.." && pwd)
folder=${ACETATE_EDITORS:-$home/.editors}
tools="mmdebstrap bubblewrap xvfb xauth openbox xdotool x11-utils imagemagick ca-certificates"
# What both Qts of the panel's own tests load, even without a screen.
tools="$tools libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0"
# Krita only recommends python3-pyqt5, and loads no Python plug-in without it.
wanted="ca-certificates gimp gir1.2-gimp-3.0 gir1.2-gtk-3.0 gir1.2-gegl-0.4 python3-gi
    python3-gi-cairo krita python3-pyqt5 python3-numpy fonts-dejavu-core adwaita-icon-theme"

say() { printf 'editors: %s\n' "$*"; }
refuse() { printf 'editors: NOT TESTED in real editors: %s\n' "$*" >&2; exit 3; }
thrice() { local n; for n in 1 2 3; do "$@" && return; sleep $((n * 5)); done; return 1; }

build() { # suite folder
    rm -rf --one-file-system "$2.new"
    mmdebstrap --mode=root --variant=apt --skip=check/empty \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --aptopt='Acquire::Retries "3"' --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='Acquire::Check-Date "false"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/help/*' \
        --include="$(echo $wanted | tr ' ' ,)" "$1" "$2.new" "$mirror" \
        >"$folder/build-$1.log" 2>&1
}

ready=yes
for suite in $suites; do [ -e "$folder/root-$suite/.editors-stamp" ] || ready=; done
for tool in bwrap Xvfb openbox xdotool import; do command -v $tool >/dev/null || ready=; done
if [ -z "$ready" ]; then
    [ -e /etc/debian_version ] && [ "$(id -u)" = 0 ] ||
        { say "the tests in real editors need root on Debian 12 or newer; make check runs all others."
          exit 3; }
    mkdir -p "$folder"
    exec 9>"$folder/.lock"
    flock 9
    missing=
    for tool in $tools; do
        dpkg-query -W -f '${Status}' $tool 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $tool"
    done
    if [ -n "$missing" ]; then
        say "installing$missing"
        {
            thrice apt-get -qq update
            DEBIAN_FRONTEND=noninteractive thrice apt-get -qq install -y \
                --no-install-recommends $missing
        } >"$folder/tools.log" 2>&1 || refuse "apt failed, see $folder/tools.log"
    fi
    mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep -m1 '/debian/\?$')} || refuse "no Debian mirror is known: set DEBIAN_MIRROR"
    for suite in $suites; do
        root=$folder/root-$suite
        [ -e "$root/.editors-stamp" ] && continue
        say "building $suite in $root (1.5 GB, some minutes)"
        thrice build "$suite" "$root" || refuse "it failed, see $folder/build-$suite.log"
        # Only a whole chroot gets the name that a later run trusts.
        touch "$root.new/.editors-stamp"
        rm -rf --one-file-system "$root"
        mv "$root.new" "$root"
    done
fi

mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)
launcher=$(mktemp "$folder/bin/.ed-run.XXXXXX")
cat >"$launcher" <<X
#!/bin/bash
# ed-run COMMAND…: run it in the chroot of \$ED_SUITE, with \$EDHOME as its home; it ends with us.
# /tmp and the network are shared; \$ED_BIND=/a:/b shares more folders, and \$ED_KEEP=A,B passes
# variables on.
home=\${EDHOME:-/tmp/editors-home}
mkdir -p "\$home"
options=()
IFS=, read -ra names <<<"\${ED_KEEP:-}"
for name in "\${names[@]}"; do options+=(--setenv "\$name" "\${!name-}"); done
IFS=: read -ra folders <<<"\${ED_BIND:-}"
for each in "\${folders[@]}"; do [ -z "\$each" ] || options+=(--bind "\$each" "\$each"); done
[ -z "\${DISPLAY:-}" ] || options+=(--setenv DISPLAY "\$DISPLAY")
exec bwrap --bind "$folder/root-\${ED_SUITE:-trixie}" / --dev-bind /dev /dev --proc /proc \\
    --ro-bind /sys /sys --bind /tmp /tmp --tmpfs /run --perms 0700 --dir /run/user/0 --clearenv \\
    --setenv PATH /usr/bin:/bin:/usr/sbin:/sbin --setenv HOME "\$home" --setenv LANG C.UTF-8 \\
    --setenv XDG_RUNTIME_DIR /run/user/0 --setenv NO_AT_BRIDGE 1 "\${options[@]}" \\
    --chdir /tmp --die-with-parent -- "\$@"
X
chmod 755 "$launcher"
mv -f "$launcher" "$folder/bin/ed-run"
for program in gimp gimp-console krita kritarunner; do
    printf '#!/bin/bash\nexec "%s/bin/ed-run" %s "$@"\n' "$folder" $program >"$folder/bin/$program"
    chmod 755 "$folder/bin/$program"
done
for suite in $suites; do
    versions=$(ED_SUITE=$suite "$folder/bin/ed-run" dpkg-query -W -f '${Package} ${Version}  ' \
        gimp krita) || { rm "$folder/bin/ed-run"; refuse "the chroot of $suite does not run (bubblewrap needs namespaces)"; }
    say "$suite is ready: $versions"
done
