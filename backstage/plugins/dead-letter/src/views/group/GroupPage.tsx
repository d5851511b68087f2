import {
  Progress,
  useAppSearchParams,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Answered } from '../../components/Answered';
import { Empty } from '../../components/Empty';
import { EnvironmentSelect } from '../../components/EnvironmentSelect';
import { Allowed } from '../../components/Guarded';
import { PluginPage } from '../../components/PluginPage';
import { Row } from '../../components/Row';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { GROUP_PARAMETER } from '../../hooks/useGroupPath';
import { useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { isGone } from '../service/drawer';
import { StateBadge } from '../squad/StateBadge';
import { useTitle } from '../squad/useTitle';
import { Details, Group } from './Group';

/** The error group that the address names: since when it fails, with what, what was done about it, and what can be done. */
export function GroupPage() {
  const [parameters] = useAppSearchParams();
  const id = parameters.get(GROUP_PARAMETER);
  return (
    <PluginPage>{id ? <ById key={id} id={id} /> : <Unnamed />}</PluginPage>
  );
}

function Unnamed() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Empty
      why="filtered"
      title={t('group.none')}
      description={t('group.noneDetail')}
    />
  );
}

function ById({ id }: { id: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useAnswer(
    ['error-groups', 'one', id],
    (client, signal) => client.errorGroup(id, signal),
    { every: EVERY_MS, keep: false },
  );
  if (answer.data === undefined && isGone(answer.error)) {
    return (
      <Empty
        why="filtered"
        title={t('group.missing')}
        description={t('group.missingDetail')}
      />
    );
  }
  return <Answered answer={answer}>{group => <Seen group={group} />}</Answered>;
}

/** Its service says whose permissions count. */
function Seen({ group }: { group: Details }) {
  const placeOf = useServiceTabs([group.service]);
  const place = placeOf(group.service);
  if (!place) return <Progress />;
  return (
    <Allowed resourceRef={place.resourceRef}>
      <Heading group={group} />
      <Group group={group} place={place} placeOf={placeOf} />
    </Allowed>
  );
}

function Heading({ group }: { group: Details }) {
  const title = useTitle(group);
  return (
    <Row apart>
      <div>
        <Text as="h2" variant="title-small" weight="bold">
          {[group.errorType, title].filter(Boolean).join(': ')}
        </Text>
        <Row>
          <StateBadge group={group} />
        </Row>
      </div>
      <EnvironmentSelect />
    </Row>
  );
}
