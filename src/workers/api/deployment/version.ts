/** Version of the edge: that of package.json. */
export const VERSION = "0.1.0";
