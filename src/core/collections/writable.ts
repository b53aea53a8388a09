/** A record that is still being put together: its fields may be set. */
export type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };
