import { z } from "@hono/zod-openapi";
import { AnswerRequest, Asked, Question, QuestionPage } from "../../../core/questions/api.ts";
import { PermissionDecision, PermissionInput } from "../../../core/questions/permission.ts";
import { QUESTION_ID, QUESTION_ID_RULE, QuestionInput } from "../../../core/questions/settings.ts";
import { EcosystemPath } from "../http/query.ts";
import { named } from "../http/schema-parts.ts";

export const QuestionPath = EcosystemPath.extend({
  id: z
    .string()
    .regex(QUESTION_ID, QUESTION_ID_RULE)
    .openapi({ param: { description: "Id of the question" }, example: "deploy-42" }),
});

export const QuestionSchema = named("Question", Question);
export const QuestionsSchema = named("Questions", QuestionPage);
export const AskedSchema = named("AskedQuestion", Asked);
export const NewQuestionSchema = named("NewQuestion", QuestionInput);
export const NewPermissionSchema = named("NewPermission", PermissionInput);
export const PermissionDecisionSchema = named("PermissionDecision", PermissionDecision);
export const AnswerRequestSchema = named("AnswerRequest", AnswerRequest);
