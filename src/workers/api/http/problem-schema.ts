import { Problem } from "../../../core/problem/problem.ts";
import { named } from "./schema-parts.ts";

export const ProblemSchema = named("Problem", Problem.describe("Problem details (RFC 9457)"));
