#!/usr/bin/env bash
# What there is to choose from depends on who asks. With `hydra.searchpath` in the primary config, options in that folder can
# be chosen by name, singly and as a,b in a sweep, and are in the list of a refused name; but `glob(*)` in a sweep does not see
# them, and neither does `--help`: both look along the search path of the program alone. A sweep over glob(*) of a group that
# lies only there is one over nothing, and of a group in two places over a part, without a word.
# Seen with hydra-core 1.3.8, CPython 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip --quiet --disable-pip-version-check install hydra-core==1.3.8
mkdir -p "$folder/app/conf/rule" "$folder/more/rule"
cd "$folder/app"
echo 'name: ours' > conf/rule/ours.yaml
echo 'name: theirs' > "$folder/more/rule/theirs.yaml"
cat > conf/config.yaml <<Y
defaults: [{rule: ours}, _self_]
hydra: {searchpath: ["file://$folder/more"], output_subdir: null, run: {dir: .}, sweep: {dir: ., subdir: .}, job_logging: {root: {handlers: []}, disable_existing_loggers: false}}
Y
cat > app.py <<'P'
import hydra


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(cfg):
    print("ran", cfg.rule.name)


main()
P
run() { "$folder/venv/bin/python" app.py "$@"; }
by_name=$(run rule=theirs | grep ran)
swept=$(run -m rule=ours,theirs | grep ran | sort | tr '\n' ' ')
globbed=$(run -m 'rule=glob(*)' | grep ran | sort | tr '\n' ' ')
help=$(run --help | grep -m 1 '^rule: ')
echo "rule=theirs:         $by_name"
echo "-m rule=ours,theirs: $swept"
echo "-m rule=glob(*):     $globbed"
echo "--help:              $help"
[ "$by_name" = "ran theirs" ] || { echo "it is no longer found by name"; exit 1; }
[ "$swept" = "ran ours ran theirs " ] || { echo "a sweep of names changed"; exit 1; }
[ "$globbed" = "ran ours " ] || { echo "glob(*) sees the other folder now, or nothing"; exit 1; }
[ "$help" = "rule: ours" ] || { echo "--help lists the other folder now"; exit 1; }
echo "as described: chosen by name, unseen by glob(*) and --help"
