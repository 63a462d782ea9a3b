// What the *user* got wrong, or the user's machine lacks: a code for scripts and a sentence that says what to do.

export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
