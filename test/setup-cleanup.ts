import { afterAll, afterEach } from "vitest";
import { cleanUp, endTest } from "./harness/cleanup.ts";

afterEach(endTest);
afterAll(cleanUp);
