"""Asks a person before it releases. Its task waits for the answer without a worker; silence is no answer."""

from shared import NAME, client, join


@join("releaser")
def releaser(task):
    if not task.answers:
        asked = client.api.ask_question(
            {
                # Follows from the task: asked again after a crash, it is the same question.
                "id": f"release-{task.task_id}",
                "question": f"Release the tree with {task.payload['pages']} pages?",
                "recipient": "ops",
                "options": ["yes", "no"],
                "context": {"tree": task.payload["tree"]},
                "expires": "15m",
            }
        )
        task.park(asked["id"])
    answer = task.answers[-1]
    return {"by": NAME, "released": answer["answer"] == "yes", "answer": answer}


releaser.run()
