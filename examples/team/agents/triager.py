"""Takes bug reports: has the tester try whether it is so, and passes on what is."""

import team


def on_bug(bug, turn):
    question = {"name": bug["name"], "input": bug["input"], "expected": bug["expected"]}
    tried = turn.call("tester", "REPRODUCE", question, timeout=20).result
    if not tried["reproduced"]:
        return {"triage": "not reproduced", "actual": tried["actual"]}
    case = [bug["input"], bug["expected"]]
    turn.delegate("architect", "TASK_DELEGATE", {"flow": bug["flow"], "name": bug["name"], "kind": "fix", "cases": [case]})
    return {"triage": "confirmed", "actual": tried["actual"]}


def on_status(work, _turn):
    return {"noted": work["state"]}


team.join_team("triager", {"BUG_REPORT": on_bug, "STATUS_UPDATE": on_status})
