import { notFound, type Refusal } from "../http/refusal.ts";

export function unknownRule(id: string): Refusal {
  return notFound(`No rule "${id}". List rules: GET /v1/{eco}/policies`);
}
