import { RootConfigService } from '@backstage/backend-plugin-api';

/**
 * An environment that the backend reaches by itself.
 * @public
 */
export interface ReachableEnvironment {
  name: string;
  /** Address of dead-letter. */
  target: string;
  /** For what is read without a user. */
  token?: string;
}

/**
 * The environments of `deadLetter.environments` that have a target. Those that the proxy leads to need none.
 * @public
 */
export function readEnvironments(
  config: RootConfigService,
): ReachableEnvironment[] {
  const environments =
    config.getOptionalConfigArray('deadLetter.environments') ?? [];
  return environments.flatMap(environment => {
    const name = environment.getString('name');
    const target = environment.getOptionalString('target');
    const token = environment.getOptionalString('token');
    return target === undefined
      ? []
      : [{ name, target: readTarget(name, target), token }];
  });
}

function readTarget(environment: string, target: string): string {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const isPlain =
    url &&
    ['http:', 'https:'].includes(url.protocol) &&
    !(url.username || url.password || url.search || url.hash);
  if (!isPlain) {
    throw new Error(
      `deadLetter.environments: the target of ${environment} must be an address such as https://dead-letter.example.com`,
    );
  }
  return url.href.replace(/\/+$/, '');
}
