import { AnswerRequest, Asked, Question, QuestionPage } from "../../../core/questions/api.ts";
import { QuestionInput } from "../../../core/questions/settings.ts";
import { named } from "../http/schema-parts.ts";

export const QuestionSchema = named("Question", Question);
export const QuestionsSchema = named("Questions", QuestionPage);
export const AskedSchema = named("AskedQuestion", Asked);
export const NewQuestionSchema = named("NewQuestion", QuestionInput);
export const AnswerRequestSchema = named("AnswerRequest", AnswerRequest);
