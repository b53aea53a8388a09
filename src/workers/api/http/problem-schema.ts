import { Problem } from "../../../core/problem/problem.ts";

export const ProblemSchema = Problem.meta({ id: "Problem", description: "Problem details (RFC 9457)" });
