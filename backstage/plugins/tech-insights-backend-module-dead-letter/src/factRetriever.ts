import {
  FactRetriever,
  TechInsightFact,
} from '@backstage-community/plugin-tech-insights-node';
import { parseEntityRef } from '@backstage/catalog-model';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  Components,
  DeadLetter,
  ReachableEnvironment,
} from '@dead-letter/backstage-plugin-dead-letter-node';

/** What Tech Insights knows it by, also in its settings. */
export const FACT_RETRIEVER = 'deadLetterFactRetriever';

const HOUR_MS = 3_600_000;

/** What is dead of each component, in the first environment with a token. Muted dead letters count, too: they are there. */
export function factRetriever(
  components: Components,
  environments: ReachableEnvironment[],
): FactRetriever {
  return {
    id: FACT_RETRIEVER,
    version: '1.0.0',
    title: 'Dead letters',
    description: 'What has died in RabbitMQ and waits in dead-letter',
    entityFilter: [{ kind: 'component' }],
    schema: {
      deadLetters: {
        type: 'integer',
        description: 'Dead letters that wait for somebody',
      },
      oldestDeadLetterHours: {
        type: 'float',
        description: 'Age of the oldest of them in hours; 0 if there is none',
      },
      diedInLastDay: {
        type: 'integer',
        description: 'Messages that died in the last 24 hours',
      },
    },
    async handler() {
      const environment = environments.find(each => each.token);
      if (!environment?.token) {
        throw new Error('deadLetter.environments has none with a token');
      }
      const client = new DeadLetter(environment.target, environment.token);
      const overviews = new Map(
        (await client.services()).map(each => [each.service, each]),
      );
      const byComponent = new Map<string, ServiceOverview[]>();
      for (const [service, refs] of await components.byService()) {
        const overview = overviews.get(service);
        for (const ref of refs) {
          const known = byComponent.get(ref) ?? [];
          byComponent.set(ref, overview ? [...known, overview] : known);
        }
      }
      return [...byComponent].map(([ref, services]) => toFact(ref, services));
    },
  };
}

function toFact(ref: string, services: ServiceOverview[]): TechInsightFact {
  const sum = (of: (each: ServiceOverview) => number) =>
    services.reduce((total, each) => total + of(each), 0);
  const ages = services.map(({ oldest }) =>
    oldest ? Date.now() - Date.parse(oldest) : 0,
  );
  return {
    entity: parseEntityRef(ref),
    facts: {
      deadLetters: sum(each => each.count),
      oldestDeadLetterHours: Math.max(0, ...ages) / HOUR_MS,
      diedInLastDay: sum(each => each.lastDay.died),
    },
  };
}
