// Enrolment with two limits: a course has a number of seats, and a student takes at most three courses.
import type { Gater, RecordedEvent } from '@esdb-gater/client';
import { decide } from './decide.ts';

const MAX_COURSES = 3;

export type Enrolment =
  | 'enrolled'
  | 'already enrolled'
  | 'course full'
  | 'too many courses'
  | 'no such course';

export async function offerCourse(
  gater: Gater,
  storeId: string,
  course: string,
  seats: number,
): Promise<void> {
  const event = { type: 'course_offered', data: { seats }, tags: [`course:${course}`] };
  await gater.appendEvents({ storeId, streamId: `course-${course}`, expectedVersion: -1, events: [event] });
}

/**
 * Enrols a student. The decision depends on the events of the course and on those of the student, and on no others:
 * enrolments of other students in other courses do not get in its way.
 */
export function enrol(gater: Gater, storeId: string, course: string, student: string): Promise<Enrolment> {
  const [courseTag, studentTag] = [`course:${course}`, `student:${student}`];
  const query = {
    items: [{ tags: [courseTag] }, { types: ['student_enrolled', 'student_left'], tags: [studentTag] }],
  };
  return decide<Enrolment>({ gater, storeId, query }, (events) => {
    const offer = events.find(({ type, tags }) => type === 'course_offered' && tags.includes(courseTag));
    if (offer === undefined) return { answer: 'no such course' };
    const students = membersOf(events, courseTag, 'student:');
    const courses = membersOf(events, studentTag, 'course:');
    if (courses.has(courseTag)) return { answer: 'already enrolled' };
    if (students.size >= (offer.data as { readonly seats: number }).seats) return { answer: 'course full' };
    if (courses.size >= MAX_COURSES) return { answer: 'too many courses' };
    const event = { type: 'student_enrolled', data: null, tags: [courseTag, studentTag] };
    return { answer: 'enrolled', append: { streamId: `course-${course}`, events: [event] } };
  });
}

/** Ends an enrolment. Returns false when there is none. */
export function leave(gater: Gater, storeId: string, course: string, student: string): Promise<boolean> {
  const tags = [`course:${course}`, `student:${student}`];
  return decide({ gater, storeId, query: { items: [{ tags }] } }, (events) => {
    if (events.at(-1)?.type !== 'student_enrolled') return { answer: false };
    const event = { type: 'student_left', data: null, tags };
    return { answer: true, append: { streamId: `course-${course}`, events: [event] } };
  });
}

/** Returns the tags of those who are enrolled with `tag`: the students of a course, or the courses of a student. */
function membersOf(events: readonly RecordedEvent[], tag: string, prefix: string): Set<string> {
  const members = new Set<string>();
  for (const { type, tags } of events) {
    const other = tags.find((one) => one.startsWith(prefix));
    if (other === undefined || !tags.includes(tag)) continue;
    if (type === 'student_enrolled') members.add(other);
    if (type === 'student_left') members.delete(other);
  }
  return members;
}
