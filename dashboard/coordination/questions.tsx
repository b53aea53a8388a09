import { useState } from "preact/hooks";
import type { Question } from "../../src/core/questions/api.ts";
import { inPages } from "../base/in-pages.ts";
import { queryOf, to } from "../base/router.ts";
import { usePolled } from "../base/use-polled.ts";
import { Badge, Empty, Facts, Json, Loaded, When } from "../parts/basics.tsx";
import { Changing } from "../parts/changing.tsx";
import { Act } from "../parts/dialog.tsx";
import { ChoiceFilter, TextFilter } from "../parts/fields.tsx";
import { Area, Field } from "../parts/form.tsx";
import { More } from "../parts/more.tsx";
import { CloseDetail, SplitList } from "../parts/split-list.tsx";
import type { Tone } from "../parts/tone.ts";
import { counted } from "../parts/words.ts";
import type { Calls } from "./calls.ts";

const EVERY_MS = 5_000;

const TONES: Readonly<Record<string, Tone>> = { open: "warning", answered: "good", expired: "critical" };

export function Questions({ ecosystem, calls }: { readonly ecosystem: string; readonly calls: Calls }) {
  const [pages, setPages] = useState(1);
  const selected = queryOf("sel");
  const state = queryOf("state") || "open";
  const recipient = queryOf("text").trim();
  const loaded = usePolled(
    `${ecosystem} questions ${state} ${recipient} ${pages}`,
    () =>
      inPages<Question, string>(pages, async (after) => {
        const { questions, next } = await calls.questions(state, recipient, after);
        return { items: questions, next };
      }),
    EVERY_MS,
  );
  return (
    <section aria-label="Questions">
      <div class="head-tools">
        <TextFilter name="text" label="Recipient" hint="ops" />
        <ChoiceFilter
          name="state"
          label="State"
          options={["open", "answered", "expired", ["cancelled", "taken back"], "all"]}
        />
      </div>
      <Loaded of={loaded}>
        {({ items, more }) => (
          <>
            {items.length === 0 && selected === "" ? (
              <Empty
                title={state === "open" ? "No question waits for an answer." : "No question matches this filter."}
              />
            ) : (
              <SplitList
                items={items}
                label="Questions"
                keyOf={({ id }) => id}
                row={(one) => (
                  <>
                    <Badge tone={TONES[one.state] ?? "calm"}>{one.state}</Badge>
                    <strong>{one.recipient}</strong>
                    <span class="source">{one.answer}</span>
                    <span class="facts-line">{one.question}</span>
                    <span class="faint">
                      <When at={one.closed_at ?? one.expires_at} />
                    </span>
                  </>
                )}
                detail={(id) => <OneQuestion key={id} id={id} calls={calls} reload={loaded.reload} />}
              />
            )}
            <More more={more} onMore={() => setPages(pages + 1)} />
          </>
        )}
      </Loaded>
    </section>
  );
}

interface OneProps {
  readonly id: string;
  readonly calls: Calls;
  readonly reload: () => void;
}

function OneQuestion({ id, calls, reload }: OneProps) {
  const loaded = usePolled(id, () => calls.question(id), EVERY_MS);
  const after = () => {
    loaded.reload();
    reload();
  };
  return (
    <aside class="detail" aria-label="The selected question">
      <Loaded of={loaded}>
        {(one) => (
          <>
            <h2>{one.question}</h2>
            <p class="detail-tools">
              {one.signal !== null && <a href={to("chain", one.signal)}>How it came to this</a>}
              {one.state === "open" && (
                <Changing scope="tasks:write">
                  <Act
                    label="Take back"
                    about={id}
                    confirm="Take the question back? Whoever waits for it learns so."
                    run={() => calls.cancelQuestion(id)}
                    done="The question is taken back"
                    after={after}
                  />
                </Changing>
              )}
              <CloseDetail />
            </p>
            {one.state === "open" && <Answer question={one} calls={calls} after={after} />}
            <Facts of={factsOf(one)} />
            <Json value={one.permission ?? one.context ?? "no context"} label="Context" />
          </>
        )}
      </Loaded>
    </aside>
  );
}

function factsOf(one: Question) {
  const { answered_by: by, on_timeout, escalate_to, escalated_at } = one;
  return [
    [
      "State",
      <Badge key="s" tone={TONES[one.state] ?? "calm"}>
        {one.state}
      </Badge>,
    ],
    ["Recipient", one.recipient],
    ["Answer", one.answer],
    ["Comment", one.comment],
    ["Answered by", by && `${by.name} (${by.way})`],
    ["Over", one.closed_at && <When key="o" at={one.closed_at} />],
    ["Asked by", one.asked_by],
    ["Asked", <When key="a" at={one.asked_at} />],
    ["Expires", <When key="e" at={one.expires_at} />],
    ["Silence means", on_timeout ?? "no answer"],
    ["Reminded", counted(one.reminders, "time")],
    ["Asked too", escalate_to === null ? "nobody" : escalated_at === null ? `${escalate_to}, later` : escalate_to],
    ["Id", <code key="i">{one.id}</code>],
  ] as const;
}

interface AnswerProps {
  readonly question: Question;
  readonly calls: Calls;
  readonly after: () => void;
}

/** Buttons for the options, or a field where any text is an answer. */
function Answer({ question, calls, after }: AnswerProps) {
  const { id, options, permission } = question;
  const [text, setText] = useState("");
  const [comment, setComment] = useState("");
  const act = (answer: string, label: string) => (
    <Act
      key={label}
      label={label}
      about={id}
      kind="primary"
      confirm={`${label}? It counts once, and is recorded with who did it.`}
      run={() => calls.answer(question, answer, comment.trim())}
      done={`Answered: ${answer}`}
      after={after}
    />
  );
  return (
    <Changing scope={permission === undefined ? "questions:answer" : "permissions:answer"}>
      {options === null && <Area label="Your answer" rows={3} value={text} onChange={setText} />}
      <Field label="A comment, for the asker" maxLength={2_000} value={comment} onChange={setComment} />
      <p class="tally">
        {options === null
          ? text.trim() !== "" && act(text.trim(), "Answer")
          : options.map((option) => act(option, `Answer: ${option}`))}
      </p>
    </Changing>
  );
}
