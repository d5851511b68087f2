export interface Config {
  deadLetter?: {
    environments?: Array<{
      /**
       * Address of dead-letter in this environment, such as `https://dead-letter.example.com`. Requests reach it with a token on behalf
       * of the user. Not needed for an environment with `proxyPath`.
       * @visibility backend
       */
      target?: string;
      /**
       * Token of dead-letter for what is read without a user: error groups for the search, and facts. It needs the permission `read`.
       * @visibility secret
       */
      token?: string;
    }>;
  };
}
