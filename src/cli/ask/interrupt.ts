/** Ctrl-C. Usually it ends the command at once; a command that has to clean up first says what it does. */

export const interrupt: { by: (() => void) | undefined } = { by: undefined }
