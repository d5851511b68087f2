import { Credential } from './Credential';

const KEY = 'dead-letter.token';

/** A token of `DEAD_LETTER_TOKENS_FILE`, or another that the user has. It is gone when the tab is closed. */
export class PastedToken implements Credential {
  static stored(): PastedToken | undefined {
    const value = sessionStorage.getItem(KEY);
    return value ? new PastedToken(value) : undefined;
  }

  static store(value: string) {
    sessionStorage.setItem(KEY, value);
  }

  private constructor(private readonly value: string) {}

  async token() {
    return this.value;
  }

  async end() {
    sessionStorage.removeItem(KEY);
  }
}
