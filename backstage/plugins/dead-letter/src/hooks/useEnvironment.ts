import { useApi, useAppSearchParams } from '@backstage/frontend-plugin-api';
import { useCallback } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { Environment } from '../api/environments';

/** The parameter in the address that names the environment. */
export const ENVIRONMENT_PARAMETER = 'env';

/** The environment that the address names, else the first one. Only below `Guarded`, which says so where there is none. */
export function useEnvironment(): Environment {
  const { environments } = useApi(deadLetterApiRef);
  const [parameters] = useAppSearchParams();
  const name = parameters.get(ENVIRONMENT_PARAMETER);
  return environments.find(each => each.name === name) ?? environments[0];
}

/** The name of an environment that the address names and that is not there. */
export function useWrongEnvironment(): string | undefined {
  const { environments } = useApi(deadLetterApiRef);
  const [parameters] = useAppSearchParams();
  const name = parameters.get(ENVIRONMENT_PARAMETER);
  const isKnown = !name || environments.some(each => each.name === name);
  return isKnown ? undefined : name;
}

/** Whether there is one to ask: one is configured, and the address names no other. */
export function useHasEnvironment(): boolean {
  const { environments } = useApi(deadLetterApiRef);
  const wrong = useWrongEnvironment();
  return environments.length > 0 && wrong === undefined;
}

/** Goes to the same page of another environment: what else the address says is about this one, so it goes. */
export function useChooseEnvironment(): (name: string) => void {
  const [, setParameters] = useAppSearchParams();
  return useCallback(
    name => setParameters({ [ENVIRONMENT_PARAMETER]: name }),
    [setParameters],
  );
}

/** A path of Backstage, in this environment. */
export function useInEnvironment(): (
  path: string,
  parameters?: Record<string, string>,
) => string {
  const { name } = useEnvironment();
  return useCallback(
    (path, parameters = {}) =>
      `${path}?${new URLSearchParams({
        [ENVIRONMENT_PARAMETER]: name,
        ...parameters,
      })}`,
    [name],
  );
}
