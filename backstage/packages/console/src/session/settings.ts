/** How callers sign in with an OIDC issuer. */
export interface OidcSettings {
  issuer: string;
  clientId: string;
  scope: string;
  /** RFC 8707, for issuers that need it. */
  resource: string | null;
  /** The parameter of issuers such as Auth0. */
  audience: string | null;
}

/** What the service tells the console before anybody has signed in. */
export interface Settings {
  /** Name of this installation, such as `Production`. */
  title: string | null;
  /** Whether nothing is shown to callers who have not signed in. */
  signInRequired: boolean;
  /** Whether the service knows tokens that can be pasted. */
  tokens: boolean;
  oidc: OidcSettings | null;
}

export async function readSettings(): Promise<Settings> {
  const answer = await fetch('/console/settings.json');
  if (!answer.ok) throw new Error(`settings.json: ${answer.status}`);
  return answer.json();
}

/** Where the issuer sends the browser back to. */
export const RETURN_PATH = '/console/signed-in';
