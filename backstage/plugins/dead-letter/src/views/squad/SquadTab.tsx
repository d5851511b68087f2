import { Entity } from '@backstage/catalog-model';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { Card, CardBody, CardHeader, Text } from '@backstage/ui';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { SQUAD_ANNOTATION } from '../../annotations';
import { Answered } from '../../components/Answered';
import { Donut, sayShare } from '../../components/Donut';
import { Empty } from '../../components/Empty';
import { Guarded } from '../../components/Guarded';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Headline } from '../../components/Headline';
import { TableSkeleton } from '../../components/TableSkeleton';
import { EVERY_MS } from '../../hooks/every';
import { TabOf, useServiceTabs } from '../../hooks/useTabs';
import { ErrorGroups } from './ErrorGroups';
import { ServicesTable } from './ServicesTable';
import styles from './squad.module.css';

/** What a squad's services have, and why. */
export function SquadTab() {
  const { entity } = useEntity();
  return (
    <div className={styles.tab}>
      <Guarded entity={entity}>
        <Squad entity={entity} />
      </Guarded>
    </div>
  );
}

/** Its name in dead-letter. */
function squadName({ metadata }: Entity): string {
  return metadata.annotations?.[SQUAD_ANNOTATION] ?? metadata.name;
}

function Squad({ entity }: { entity: Entity }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const squad = squadName(entity);
  const services = useAnswer(
    ['services', squad],
    (client, signal) => client.services(squad, signal),
    // Those of another environment must not be taken for those of this one.
    { every: EVERY_MS, keep: false },
  );
  const tabOf = useServiceTabs(services.data?.map(each => each.service) ?? []);
  const total = services.data?.reduce((sum, each) => sum + each.count, 0);
  return (
    <>
      <Headline
        number={total}
        unit={t('squad.headline', { count: total ?? 0 })}
        scope={t('squad.scope', { squad })}
      />
      <Answered answer={services} loading={<SquadSkeleton />}>
        {found =>
          found.length > 0 ? (
            <>
              <Services services={found} tabOf={tabOf} />
              <ErrorGroups
                squad={squad}
                entity={entity}
                tabOf={tabOf}
                awaySaid={services.isError}
              />
            </>
          ) : (
            <Card>
              <Empty
                title={t('squad.empty')}
                description={t('squad.emptyDetail', { squad })}
              />
            </Card>
          )
        }
      </Answered>
    </>
  );
}

interface ServicesProps {
  services: ServiceOverview[];
  tabOf: TabOf;
}

function Services({ services, tabOf }: ServicesProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const total = services.reduce((sum, each) => sum + each.count, 0);
  const slices = [...services]
    .sort((one, other) => other.count - one.count)
    .map(({ service, count }) => ({ label: service, value: count }));
  const shares = slices.map(({ label, value }) =>
    t('squad.shares.share', { label, percent: sayShare(value / total) }),
  );
  return (
    <div className={styles.overview}>
      <Card>
        <CardHeader>
          <Text as="h3" variant="title-x-small">
            {t('squad.services.title')}
          </Text>
        </CardHeader>
        <CardBody>
          <ServicesTable services={services} tabOf={tabOf} />
        </CardBody>
      </Card>
      <Card>
        <CardHeader>
          <Text as="h3" variant="title-x-small">
            {t('squad.shares.title')}
          </Text>
        </CardHeader>
        <CardBody>
          <Donut
            slices={slices}
            label={t('squad.shares.chart', { shares: shares.join(', ') })}
            others={count =>
              t('squad.shares.others', { number: count.toLocaleString() })
            }
          />
        </CardBody>
      </Card>
    </div>
  );
}

function SquadSkeleton() {
  return (
    <>
      <div className={styles.overview}>
        <Card>
          <TableSkeleton />
        </Card>
        <Card>
          <TableSkeleton />
        </Card>
      </div>
      <Card>
        <TableSkeleton rows={6} />
      </Card>
    </>
  );
}
