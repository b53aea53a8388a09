import * as fc from "./properties.ts";

/**
 * fast-check as tests use it: a greatest length that a test names is meant. By itself fast-check keeps every array and
 * every history to ten steps, whatever was asked for, and that is too few to fill a queue, turn a window or come back twice.
 */
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export default fc;
