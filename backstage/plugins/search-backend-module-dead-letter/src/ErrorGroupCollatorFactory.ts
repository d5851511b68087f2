import { LoggerService } from '@backstage/backend-plugin-api';
import {
  DocumentCollatorFactory,
  IndexableDocument,
} from '@backstage/plugin-search-common';
import {
  CountedGroup,
  deadLetterReadPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  ByService,
  Components,
  DeadLetter,
  ReachableEnvironment,
} from '@dead-letter/backstage-plugin-dead-letter-node';
import { Readable } from 'stream';

/** Of each service, those with the most dead letters: as many as dead-letter gives. */
const MOST_OF_A_SERVICE = 200;

interface ErrorGroupDocument extends IndexableDocument {
  environment: string;
  service: string;
  squad: string;
  state: string;
}

interface Deps {
  environments: ReachableEnvironment[];
  components: Components;
  logger: LoggerService;
}

/**
 * Error groups as documents: what the error says, and whose it is. Nothing of a message is among it. Whoever searches finds those of the
 * components on which Backstage's policy allows reading.
 */
export class ErrorGroupCollatorFactory implements DocumentCollatorFactory {
  readonly type = 'dead-letter-error-group';
  readonly visibilityPermission = deadLetterReadPermission;

  constructor(private readonly deps: Deps) {}

  async getCollator(): Promise<Readable> {
    return Readable.from(this.documents());
  }

  private async *documents(): AsyncGenerator<ErrorGroupDocument> {
    const { components, environments, logger } = this.deps;
    const byService = await components.byService();
    for (const { name, target, token } of environments) {
      if (!token) {
        logger.warn(
          `error groups of ${name} cannot be searched: deadLetter.environments has no token for it`,
        );
        continue;
      }
      const client = new DeadLetter(target, token);
      for (const { service } of await client.services()) {
        const resourceRef = resourceOf(service, byService);
        if (!resourceRef) continue;
        const { groups } = await client.errorGroups({
          service,
          limit: MOST_OF_A_SERVICE,
        });
        for (const group of groups) {
          yield { ...toDocument(group, name), authorization: { resourceRef } };
        }
      }
    }
  }
}

/**
 * The component whose permission counts. Of several components, a user needs the permission on each, which a document cannot say: then it
 * is not found. A service without one is found by those who may read everything.
 */
function resourceOf(service: string, byService: ByService): string | undefined {
  const [component, ...others] = byService.get(service) ?? [
    `component:default/${service.toLowerCase()}`,
  ];
  return others.length > 0 ? undefined : component;
}

function toDocument(
  group: CountedGroup,
  environment: string,
): ErrorGroupDocument {
  const { id, title, errorType, reason, service, squad, state } = group;
  const query = new URLSearchParams({ env: environment, id });
  return {
    title: title ?? errorType ?? reason ?? id,
    text: [errorType, title, reason && `(${reason})`, `in ${service}, ${squad}`]
      .filter(Boolean)
      .join(' '),
    location: `/dead-letter/group?${query}`,
    environment,
    service,
    squad,
    state,
  };
}
