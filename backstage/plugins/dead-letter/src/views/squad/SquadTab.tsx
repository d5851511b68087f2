import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { Card, Flex, Text } from '@backstage/ui';
import { ServiceOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answered } from '../../components/Answered';
import { sayCount } from '../../components/Count';
import { Donut } from '../../components/Donut';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Guarded } from '../../components/Guarded';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { ErrorGroups } from './ErrorGroups';
import { Loading } from './Loading';
import { ServicesTable } from './ServicesTable';
import styles from './SquadTab.module.css';
import { SQUAD_ANNOTATION, useComponentsOf } from './catalog';

const REFRESH_MS = 15_000;

/** The dead letters of the services that a group owns. */
export function SquadTab() {
  const { entity } = useEntity();
  return (
    <Guarded entity={entity}>
      <Squad />
    </Guarded>
  );
}

function Squad() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { entity } = useEntity();
  const squad =
    entity.metadata.annotations?.[SQUAD_ANNOTATION] ?? entity.metadata.name;
  // Numbers of another environment are none of this one's: they do not stay while it is asked.
  const answer = useAnswer(
    ['services', squad],
    (client, signal) => client.services(squad, signal),
    { every: REFRESH_MS, keep: false },
  );
  const total = answer.data?.reduce((sum, each) => sum + each.count, 0);
  return (
    <div className={styles.page}>
      <Flex justify="between" align="center" gap="4" className={styles.head}>
        <p className={styles.headline}>
          {total !== undefined && (
            <>
              <span className={styles.total}>{sayCount(total)}</span>{' '}
              {t('squad.total', { count: total, squad })}
            </>
          )}
        </p>
        <EnvironmentSelect />
      </Flex>
      <Answered answer={answer} loading={<Loading rows={6} />}>
        {services => <Overview squad={squad} services={services} />}
      </Answered>
    </div>
  );
}

interface OverviewProps {
  squad: string;
  services: ServiceOverview[];
}

function Overview({ squad, services }: OverviewProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { entity } = useEntity();
  const componentOf = useComponentsOf(entity);
  const title = t('squad.services', { squad });
  if (services.length === 0) {
    return (
      <Empty
        title={t('squad.noneTitle')}
        description={t('squad.noneDetail', { squad })}
      />
    );
  }
  return (
    <Flex direction="column" gap="6">
      <div className={styles.services}>
        <Card>
          <ServicesTable
            label={title}
            services={services}
            componentOf={componentOf}
          />
        </Card>
        <Card className={styles.shares}>
          <Text
            as="h2"
            variant="body-medium"
            weight="bold"
            className={styles.title}
          >
            {t('squad.donut')}
          </Text>
          <Donut
            label={t('squad.donut')}
            slices={services.map(each => ({
              name: each.service,
              count: each.count,
            }))}
          />
        </Card>
      </div>
      <ErrorGroups squad={squad} componentOf={componentOf} />
    </Flex>
  );
}
