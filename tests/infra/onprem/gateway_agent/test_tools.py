from infra.onprem.gateway_agent import tools


def test_a_command_that_hangs_has_failed_with_a_code_of_its_own() -> None:
    done = tools.ask("sleep", "60", seconds=0.2)
    assert done.returncode == tools.NO_ANSWER
    assert done.stdout == ""
    assert done.stderr.startswith("sleep gave no answer")
