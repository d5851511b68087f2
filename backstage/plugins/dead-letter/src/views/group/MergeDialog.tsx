import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Checkbox,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
} from '@backstage/ui';
import {
  CountedGroup,
  ErrorGroup,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Answered } from '../../components/Answered';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { useChange } from '../squad/useChange';
import { useTitle } from '../squad/useTitle';

/** As many as the service gives. */
const ASKED_FOR = 200;

interface MergeDialogProps {
  group: ErrorGroup;
  onClose: () => void;
}

/** Chooses other groups of the same service that are the same error for people. */
export function MergeDialog({ group, onClose }: MergeDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const mutation = useChange(group);
  const [chosen, setChosen] = useState<string[]>([]);
  const { service } = group;
  const groups = useAnswer(
    ['error-groups', 'of-service', service],
    (client, signal) =>
      client.errorGroups({ service, status: 'any' }, ASKED_FOR, signal),
    { keep: false },
  );
  const toggle = (id: string, isChosen: boolean) =>
    setChosen(before =>
      isChosen ? [...before, id] : before.filter(each => each !== id),
    );
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={560}
      className={readable.readable}
    >
      <DialogHeader>{t('group.merge.title')}</DialogHeader>
      <DialogBody>
        <Flex direction="column" gap="4">
          <Text>{title}</Text>
          <Text as="p" color="secondary">
            {t('group.merge.explained')}
          </Text>
          <Failed title={t('squad.change.failed')} error={mutation.error} />
          <Answered answer={groups}>
            {found => {
              const others = found.groups.filter(each => each.id !== group.id);
              return others.length === 0 ? (
                <Text>{t('group.merge.none', { service })}</Text>
              ) : (
                <Flex direction="column" gap="2">
                  {others.map(each => (
                    <Choice
                      key={each.id}
                      group={each}
                      isChosen={chosen.includes(each.id)}
                      onChange={isChosen => toggle(each.id, isChosen)}
                    />
                  ))}
                </Flex>
              );
            }}
          </Answered>
        </Flex>
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={onClose}>
          {t('squad.noteDialog.cancel')}
        </Button>
        <Button
          variant="primary"
          isDisabled={chosen.length === 0}
          isPending={mutation.isPending}
          onPress={() =>
            mutation.mutate(
              { action: 'merge', groups: chosen },
              { onSuccess: onClose },
            )
          }
        >
          {t('group.merge.run')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

interface ChoiceProps {
  group: CountedGroup;
  isChosen: boolean;
  onChange: (isChosen: boolean) => void;
}

function Choice({ group, isChosen, onChange }: ChoiceProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const name = [group.errorType, title].filter(Boolean).join(': ');
  return (
    <Checkbox isSelected={isChosen} onChange={onChange}>
      {t('group.merge.choice', { name, number: group.count.toLocaleString() })}
    </Checkbox>
  );
}
