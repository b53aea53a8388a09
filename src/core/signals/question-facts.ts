import * as z from "zod";

const text = z.string().min(1);

/** About a question to a person or a role. */
export const QuestionFacts = z.looseObject({
  question_id: text,
  question: text,
  recipient: text.meta({ description: "Who is asked" }),
  asked_by: z.string().meta({ description: "Name of the token with which it was asked" }),
});

/** What happened to a request of permission. */
export const PermissionFacts = z.looseObject({
  permission_id: text.meta({ description: "Id of the request" }),
  tool: text.meta({ description: "The tool whose use is allowed or denied" }),
  recipient: text.meta({ description: "Who is asked" }),
  asked_by: z.string().meta({ description: "Name of the token with which it was asked" }),
});
