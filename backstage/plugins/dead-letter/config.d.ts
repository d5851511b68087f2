export interface Config {
  deadLetter?: {
    /** The dead-letter installations that users can select. The first is the default. */
    environments?: Array<{
      /**
       * Name of the environment in the URL (`?env=`).
       * @visibility frontend
       */
      name: string;
      /**
       * Label in the selector. Defaults to the name.
       * @visibility frontend
       */
      title?: string;
      /**
       * Endpoint of Backstage's proxy, such as `/dead-letter/production`. Without it, requests go through the backend plugin.
       * @visibility frontend
       */
      proxyPath?: string;
    }>;
  };
}
