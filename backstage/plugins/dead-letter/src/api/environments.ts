import { ConfigApi } from '@backstage/frontend-plugin-api';

/**
 * One installation of dead-letter.
 * @public
 */
export interface Environment {
  name: string;
  title: string;
  /** Endpoint of Backstage's proxy. Without it, the environment is behind the backend plugin. */
  proxyPath?: string;
}

/** Of `deadLetter.environments` in app-config. */
export function readEnvironments(config: ConfigApi): Environment[] {
  const configured =
    config.getOptionalConfigArray('deadLetter.environments') ?? [];
  return configured.map(environment => {
    const name = environment.getString('name');
    return {
      name,
      title: environment.getOptionalString('title') ?? name,
      proxyPath: environment.getOptionalString('proxyPath'),
    };
  });
}
