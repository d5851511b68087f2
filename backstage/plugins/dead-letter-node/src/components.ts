import { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import { stringifyEntityRef } from '@backstage/catalog-model';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { servicesOf } from '@dead-letter/backstage-plugin-dead-letter-common';

/** For so long the catalog is not asked again. */
const FRESH_MS = 60_000;

/**
 * The components that say that they are a service, by the name of the service. A component may be several.
 * @public
 */
export type ByService = ReadonlyMap<string, string[]>;

/**
 * What the catalog is asked with.
 * @public
 */
export interface ComponentsDeps {
  auth: AuthService;
  catalog: CatalogService;
  logger: LoggerService;
}

/**
 * The components of the catalog.
 * @public
 */
export class Components {
  private latest?: { since: number; answer: Promise<ByService> };

  constructor(private readonly deps: ComponentsDeps) {}

  /** As the catalog had them within the last minute. */
  async byService(): Promise<ByService> {
    if (!this.latest || Date.now() - this.latest.since > FRESH_MS) {
      const latest = { since: Date.now(), answer: this.ask() };
      this.latest = latest;
      latest.answer.catch(() => {
        if (this.latest === latest) this.latest = undefined;
      });
    }
    return this.latest.answer;
  }

  private async ask(): Promise<ByService> {
    const { auth, catalog, logger } = this.deps;
    const found = new Map<string, string[]>();
    const pages = catalog.streamEntities(
      {
        filter: { kind: 'component' },
        fields: [
          'kind',
          'metadata.name',
          'metadata.namespace',
          'metadata.annotations',
        ],
      },
      { credentials: await auth.getOwnServiceCredentials() },
    );
    for await (const page of pages) {
      for (const entity of page) {
        for (const service of servicesOf(entity)) {
          const others = found.get(service) ?? [];
          found.set(service, [...others, stringifyEntityRef(entity)]);
        }
      }
    }
    for (const [service, refs] of found) {
      if (refs.length > 1) {
        logger.warn(
          `several components are the service ${service}, so a user needs the permissions on each: ${refs.join(
            ', ',
          )}`,
        );
      }
    }
    return found;
  }
}
