"""An installation's last step makes what is missing, and nothing twice."""

from pathlib import Path

from forge_lib import prepare
from forge_lib.export.gguf import converter
from forge_lib.lab.profiles import PROFILES
from forge_lib.models.load import base_dir
from forge_lib.tasks.sql.sources.course import load_course


def test_a_second_installation_makes_nothing_again(capsys):
    data = load_course()
    made = [converter(), data.database(data.train[0].db_id), *Path(base_dir(PROFILES["cpu"])).iterdir()]
    before = [f.stat().st_mtime_ns for f in made]
    prepare.main()
    assert [f.stat().st_mtime_ns for f in made] == before
    assert "Ready" in capsys.readouterr().out
