import fnmatch
import subprocess

import yaml

from infra.onprem.site_watch import RULE_FILE
from scripts.localcloud.kubernetes.addons import prometheus


def test_prometheus_reads_what_the_follower_writes():
    config = yaml.safe_load(prometheus.configuration())
    script = prometheus.follower_files()["follow.sh"]
    (job,) = config["scrape_configs"]
    assert job["file_sd_configs"] == [{"files": ["/known/targets.json"]}]
    assert "/known/targets.json" in script
    assert config["rule_files"] == ["/known/rules/*.yaml"]
    assert "/known/rules/" in script


def test_the_followers_script_is_one_that_a_shell_can_read_and_names_its_own_templates():
    files = prometheus.follower_files()
    assert subprocess.run(["sh", "-n"], input=files["follow.sh"], text=True).returncode == 0
    templates = set(files) - {"follow.sh"}
    assert {name for name in templates if f"/{prometheus.FOLLOWER}/{name}" in files["follow.sh"]} == templates


def test_the_stacks_rule_file_keeps_its_name_and_prometheus_reads_it():
    script = prometheus.follower_files()["follow.sh"]
    assert '> "/tmp/rules/$namespace.$name.$key"\n' in script
    (pattern,) = yaml.safe_load(prometheus.configuration())["rule_files"]
    assert fnmatch.fnmatch(f"/known/rules/serving.serving-rules.{RULE_FILE}", pattern)
