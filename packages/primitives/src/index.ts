// What several packages need and none of them owns. Nothing in here reads a file, opens a socket or keeps state of its own.

export {};
