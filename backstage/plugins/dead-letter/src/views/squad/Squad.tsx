import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Card, CardBody, CardHeader, Text } from '@backstage/ui';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { Donut } from '../../components/Donut';
import { Empty } from '../../components/Empty';
import { LastDay, sumOfLastDay } from '../../components/LastDay';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { Headline } from '../../components/Headline';
import { sayShare } from '../../components/share';
import { TableSkeleton } from '../../components/TableSkeleton';
import { EVERY_MS } from '../../hooks/every';
import { PlaceOf, useServiceTabs } from '../../hooks/useTabs';
import { OpenIncidents } from '../incidents/OpenIncidents';
import { OperationHistory } from '../operations/OperationHistory';
import { OperationsOf } from '../operations/OperationsOf';
import { useOperationsOf } from '../operations/useOperationsOf';
import { ErrorGroups } from './ErrorGroups';
import { ServicesTable } from './ServicesTable';
import styles from './squad.module.css';

interface SquadProps {
  /** Its name in dead-letter. */
  squad: string;
}

/** What a squad's services have, and why. */
export function Squad({ squad }: SquadProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { operations } = useOperationsOf({ squad });
  const services = useAnswer(
    ['services', squad],
    (client, signal) => client.services(squad, signal),
    // Those of another environment must not be taken for those of this one.
    { every: EVERY_MS, keep: false },
  );
  const tabOf = useServiceTabs(services.data?.map(each => each.service) ?? []);
  const total = services.data?.reduce((sum, each) => sum + each.count, 0);
  const muted = services.data?.reduce((sum, each) => sum + each.muted, 0) ?? 0;
  const heard = total === undefined ? undefined : total - muted;
  return (
    <div className={styles.tab}>
      <Headline
        number={heard}
        unit={t('squad.headline', { count: heard ?? 0 })}
        scope={t('squad.scope', { squad })}
      />
      {muted > 0 && (
        <Text as="p" color="secondary" className={styles.muted}>
          {t('squad.muted', { count: muted })}
        </Text>
      )}
      <OpenIncidents squad={squad} />
      <div className={styles.operations}>
        <OperationsOf operations={operations} />
      </div>
      <Answered answer={services} loading={<SquadSkeleton />}>
        {found =>
          found.length > 0 ? (
            <>
              {total === 0 && <NothingWaits services={found} />}
              <Services services={found} tabOf={tabOf} />
              <ErrorGroups
                squad={squad}
                tabOf={tabOf}
                awaySaid={services.isError}
              />
              <OperationHistory owner={{ squad }} />
            </>
          ) : (
            <Card>
              <Empty
                title={t('common.empty')}
                description={t('common.lastDayNone')}
              />
            </Card>
          )
        }
      </Answered>
    </div>
  );
}

/** None is dead; what there was stays for a day, so that it can be looked at, resolved and muted. */
function NothingWaits({ services }: { services: ServiceOverview[] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Alert
      status="info"
      icon
      mb="4"
      title={t('common.empty')}
      description={<LastDay counts={sumOfLastDay(services)} />}
    />
  );
}

interface ServicesProps {
  services: ServiceOverview[];
  tabOf: PlaceOf;
}

function Services({ services, tabOf }: ServicesProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const total = services.reduce((sum, each) => sum + each.count, 0);
  const slices = services
    .filter(each => each.count > 0)
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
      {total > 0 && (
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
      )}
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
