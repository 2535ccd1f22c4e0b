/** Expected version: the stream must have no event yet. Also the version of a stream that does not exist. */
export const NO_STREAM = -1;

/** Expected version: no check. */
export const ANY_VERSION = -2;

/** Expected version: the stream must exist, at any version. */
export const STREAM_EXISTS = -4;

/** `NO_STREAM`, `ANY_VERSION`, `STREAM_EXISTS`, or the exact version (0 and up) of the stream's last event. */
export type ExpectedVersion = number;
