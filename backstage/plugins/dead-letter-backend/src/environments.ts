import { RootConfigService } from '@backstage/backend-plugin-api';

/** The addresses of dead-letter by environment, of `deadLetter.environments`. Those that the proxy leads to need none. */
export function readTargets(config: RootConfigService): Map<string, string> {
  const environments =
    config.getOptionalConfigArray('deadLetter.environments') ?? [];
  const targets = new Map<string, string>();
  for (const environment of environments) {
    const name = environment.getString('name');
    const target = environment.getOptionalString('target');
    if (target !== undefined) targets.set(name, readTarget(name, target));
  }
  return targets;
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
