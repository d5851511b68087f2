import { Credential } from './Credential';
import { PastedToken } from './PastedToken';
import type { OidcSession } from './OidcSession';
import { RETURN_PATH, Settings } from './settings';

/** Why somebody has to sign in. */
export type Reason = 'new' | 'refused' | 'expired';

/** Who uses the console: nobody known, or somebody who has signed in. */
export class Session {
  /** Until it is undefined, somebody has to sign in. */
  signIn: Reason | undefined;
  private credential: Credential | undefined;
  private readonly listeners = new Set<() => void>();

  /** Goes on with what the tab has, or with the answer of the issuer. */
  static async resume(settings: Settings): Promise<Session> {
    const oidc = settings.oidc && (await oidcSession(settings.oidc));
    const session = new Session(settings, oidc);
    if (oidc && window.location.pathname === RETURN_PATH) {
      await session.complete(oidc);
    }
    if (oidc && (await oidc.isStored())) session.credential = oidc;
    else if (settings.tokens) session.credential = PastedToken.stored();
    if (settings.signInRequired && !session.credential) {
      session.signIn ??= 'new';
    }
    return session;
  }

  private constructor(
    readonly settings: Settings,
    private readonly oidc: OidcSession | null,
  ) {}

  get isSignedIn(): boolean {
    return this.credential !== undefined;
  }

  /** `fetch` with the token. Where the service refuses it, somebody has to sign in again. */
  readonly fetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    const token = await this.credential?.token();
    if (token) headers.set('authorization', `Bearer ${token}`);
    if (this.credential && !token) this.require('expired');
    const answer = await fetch(input, { ...init, headers });
    if (answer.status === 401) this.require(token ? 'expired' : 'new');
    return answer;
  };

  /** Leaves for the issuer, and comes back to this address. */
  async signInWithIssuer() {
    await this.oidc?.begin(address());
  }

  /** All that was shown before is forgotten with the page. */
  signInWithToken(token: string) {
    PastedToken.store(token);
    window.location.reload();
  }

  async signOut() {
    const { credential } = this;
    this.credential = undefined;
    await credential?.end();
    window.location.assign('/');
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private async complete(oidc: OidcSession) {
    try {
      window.history.replaceState(null, '', await oidc.complete());
    } catch {
      window.history.replaceState(null, '', '/');
      this.signIn = 'refused';
    }
  }

  private require(reason: Reason) {
    if (this.signIn) return;
    this.signIn = reason;
    this.listeners.forEach(listener => listener());
  }
}

function address(): string {
  const { pathname, search } = window.location;
  return `${pathname}${search}`;
}

/** Loaded only where there is an issuer. */
async function oidcSession(settings: NonNullable<Settings['oidc']>) {
  const module = await import('./OidcSession');
  return new module.OidcSession(settings);
}
