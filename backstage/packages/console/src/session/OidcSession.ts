import { User, UserManager, WebStorageStateStore } from 'oidc-client-ts';
import { Credential } from './Credential';
import { OidcSettings, RETURN_PATH } from './settings';

/** A token is renewed so many seconds before it expires. */
const RENEW_BEFORE = 30;

/**
 * A sign-in with the authorization code flow and PKCE. Tokens are in the storage of the tab: a reload keeps them, other tabs and later
 * visits do not have them.
 */
export class OidcSession implements Credential {
  private readonly manager: UserManager;
  private renewal: Promise<User | null> | undefined;

  constructor(private readonly settings: OidcSettings) {
    const { issuer, clientId, scope, resource, audience } = settings;
    const store = new WebStorageStateStore({ store: sessionStorage });
    this.manager = new UserManager({
      authority: issuer,
      client_id: clientId,
      redirect_uri: `${window.location.origin}${RETURN_PATH}`,
      post_logout_redirect_uri: `${window.location.origin}/`,
      scope,
      resource: resource ?? undefined,
      extraQueryParams: audience ? { audience } : undefined,
      userStore: store,
      stateStore: store,
      // Each request renews it, if that is due.
      automaticSilentRenew: false,
      monitorSession: false,
    });
  }

  /** Leaves for the issuer. */
  async begin(address: string): Promise<void> {
    await this.manager.signinRedirect({ state: address });
  }

  /** Back from the issuer; returns the address that was asked for. */
  async complete(): Promise<string> {
    const user = await this.manager.signinRedirectCallback();
    return typeof user.state === 'string' ? user.state : '/';
  }

  async isStored(): Promise<boolean> {
    return (await this.manager.getUser()) !== null;
  }

  async token() {
    const user = await this.manager.getUser();
    if (!user) return undefined;
    if ((user.expires_in ?? RENEW_BEFORE + 1) > RENEW_BEFORE) {
      return user.access_token;
    }
    return (await this.renewed(user))?.access_token;
  }

  async end() {
    await this.manager.revokeTokens(['refresh_token']).catch(() => {});
    const ends = await this.manager.metadataService
      .getEndSessionEndpoint()
      .catch(() => undefined);
    // It removes the user as well.
    if (ends) await this.manager.signoutRedirect();
    else await this.manager.removeUser();
  }

  /** Several requests share one renewal: a refresh token is valid once. */
  private async renewed(user: User): Promise<User | null> {
    if (!user.refresh_token) return user.expired ? null : user;
    this.renewal ??= this.manager
      .signinSilent({ resource: this.settings.resource ?? undefined })
      .catch(() => null)
      .finally(() => {
        this.renewal = undefined;
      });
    return this.renewal;
  }
}
