/** What a session is known by to the service. */
export interface Credential {
  /** The token for the next request; undefined where there is none any more. */
  token(): Promise<string | undefined>;
  /** Forgets it, and has it withdrawn where that is possible. */
  end(): Promise<void>;
}
